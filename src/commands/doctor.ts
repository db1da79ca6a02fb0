/**
 * `bindstorm doctor`: what this machine can do, each line with the remedy.
 */
import type { Command } from 'commander';
import { examineMachine } from '../lab/doctor.js';
import type { Finding } from '../lab/finding.js';
import { EXIT } from './exit.js';
import { withOptions } from './options.js';
import { print } from './terminal.js';

/** Adds the command. */
export function registerDoctor(program: Command): void {
  const command = program
    .command('doctor')
    .description('check what this machine can do, and say how to get what is missing');
  withOptions(command, ['json'])
    .addHelpText('after', '\nExample:\n  bindstorm doctor\n\nExit code 3 when experiments cannot run here, else 0.')
    .action(async ({ json }: { json: boolean }) => {
      const findings = await examineMachine();
      print(json ? `${JSON.stringify(findings)}\n` : render(findings));
      process.exitCode = findings.some(({ state }) => state === 'missing') ? EXIT.noLab : EXIT.ok;
    });
}

function render(findings: readonly Finding[]): string {
  const marks = { ok: 'ok', warning: 'note', missing: 'MISSING' } as const;
  const width = Math.max(...findings.map(({ what }) => what.length));
  return findings
    .map(({ what, state, detail, remedy }) => {
      const line = `${marks[state].padEnd(8)}${what.padEnd(width + 2)}${detail}\n`;
      return remedy ? `${line}${' '.repeat(width + 10)}→ ${remedy}\n` : line;
    })
    .join('');
}
