/** Certificates for a test, of an authority that is thrown away with it. Needs openssl. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface Authority {
  /** The path of its own certificate. */
  readonly ca: string;
  /** @param names as of subjectAltName, for example `IP:127.0.0.1` */
  issue(name: string, names: string): Certificate;
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** @param folder a new authority's files are in it, as `NAME.pem` and `NAME.key` */
export function makeAuthority(folder: string, name: string): Authority {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const subject = ['-subj', `/CN=bindstorm test ${name}`];
  openssl('req', '-x509', ...KEY, ...subject, '-days', '2', '-keyout', `${name}.key`, '-out', `${name}.pem`);
  return {
    ca: join(folder, `${name}.pem`),
    issue(own, names) {
      openssl('req', '-new', ...KEY, '-subj', `/CN=${own}`, '-keyout', `${own}.key`, '-out', `${own}.csr`);
      writeFileSync(join(folder, `${own}.ext`), `subjectAltName=${names}\nextendedKeyUsage=serverAuth,clientAuth\n`);
      const by = ['-CA', `${name}.pem`, '-CAkey', `${name}.key`, '-CAcreateserial', '-extfile', `${own}.ext`];
      openssl('x509', '-req', '-in', `${own}.csr`, ...by, '-days', '2', '-out', `${own}.pem`);
      return { cert: join(folder, `${own}.pem`), key: join(folder, `${own}.key`) };
    },
  };
}
