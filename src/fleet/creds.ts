/**
 * Credentials files of NATS (.creds): a JWT that an account has signed, and the seed of the user's nkey, as `nsc generate creds` writes them.
 */
import { readFileSync } from 'node:fs';
import { UserError } from '../domain/error.js';
import { refuseOtherThanFile } from '../machine/read-file.js';

/** Both parts between lines of hyphens, as the client library looks for them (@nats-io/nats-core, credsAuthenticator). */
const CREDS = /-{3,}BEGIN NATS USER JWT-{3,}\n+\S+\n+-{3,}END[\s\S]*-{3,}BEGIN USER NKEY SEED-{3,}\n+SU\S+\n+-{3,}END/;

/** Whether a text is that of a credentials file. */
export function isCreds(text: string): boolean {
  return CREDS.test(text);
}

/** The text of a credentials file. @throws UserError where it cannot be read, or is none */
export function credsText(path: string): string {
  const instead = 'name a file as `nsc generate creds` writes it';
  // Windows ends lines otherwise, which the client library does not take.
  const text = readText(path, instead).replaceAll('\r\n', '\n');
  if (!isCreds(text)) throw new UserError(`${path} is not a credentials file of NATS; ${instead}`);
  return text;
}

function readText(path: string, instead: string): string {
  try {
    refuseOtherThanFile(path, instead);
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code}); ${instead}`);
  }
}
