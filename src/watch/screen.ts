/**
 * Where looks are shown: redrawn in place on a terminal, a line each elsewhere, or JSON.
 */
import type { TableOptions } from '../gauge/table.js';

export interface Screen<L> {
  show(look: L): void;
}

/** How one kind of look is written. */
export interface Rendering<L> {
  table(look: L, options: TableOptions): string[];
  line(look: L): string;
}

export type ScreenKind = 'table' | 'lines' | 'json';

/** A terminal that does not know its size says 0. Without a terminal there is no height to respect, and a pipe may have a reader with a wide window. */
const PIPE = { width: 160, height: 1000 };

/** Where looks are shown, one after the other. */
export function createScreen<L>(
  stream: NodeJS.WriteStream,
  kind: ScreenKind,
  colour: boolean,
  rendering: Rendering<L>,
): Screen<L> {
  switch (kind) {
    case 'json':
      return { show: (look) => void stream.write(`${JSON.stringify(look)}\n`) };
    case 'lines':
      return { show: (look) => void stream.write(`${rendering.line(look)}\n`) };
    case 'table':
      return createTable(stream, colour, rendering);
  }
}

/** Each table is written over the one before in one write, line by line: a screen that is cleared first would flicker. */
function createTable<L>(stream: NodeJS.WriteStream, colour: boolean, { table }: Rendering<L>): Screen<L> {
  let before = 0;
  return {
    show(look) {
      const size = stream.isTTY ? { width: stream.columns || 80, height: (stream.rows || 24) - 1 } : PIPE;
      const lines = table(look, { colour, ...size });
      if (!stream.isTTY) return void stream.write(`${lines.join('\n')}\n`);
      const up = before > 0 ? `\x1b[${before}A\r` : '';
      stream.write(`${up}${lines.map((line) => `${line}\x1b[K\n`).join('')}\x1b[J`);
      before = lines.length;
    },
  };
}
