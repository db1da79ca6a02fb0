/**
 * The keys and JWTs of a nats-server with an operator (what nsc(1) makes): an operator, an account with JetStream, and users with permissions.
 * The claims are those of version 2 of github.com/nats-io/jwt; header and claims are signed by the nkey of whoever issues them.
 */
import { randomBytes } from 'node:crypto';
import { createAccount, createOperator, createUser, type KeyPair } from '@nats-io/nkeys';

export interface JwtServer {
  /** Lines of the configuration of nats-server. */
  readonly lines: readonly string[];
  /** The text of a credentials file of a new user. @param allowed as `bindstorm fleet permissions` prints it @param until seconds since 1970 */
  creds(name: string, allowed?: Allowed, until?: number): string;
}

export interface Allowed {
  readonly publish: { readonly allow: readonly string[] };
  readonly subscribe: { readonly allow: readonly string[] };
}

const DAY_NANOSECONDS = 86_400_000_000_000;
/** No limit. */
const ANY = -1;

export function jwtServer(): JwtServer {
  const operator = createOperator();
  const account = createAccount();
  // JetStream does not start without one.
  const system = createAccount();
  const ofOperator = sign(operator, operator, 'operator', { type: 'operator', version: 2 });
  const limits = {
    subs: ANY,
    data: ANY,
    payload: ANY,
    imports: ANY,
    exports: ANY,
    wildcards: true,
    conn: ANY,
    leaf: ANY,
  };
  const jetStream = { mem_storage: ANY, disk_storage: ANY, streams: ANY, consumer: ANY };
  const ofAccounts = { type: 'account', version: 2 };
  const ofAccount = sign(operator, account, 'fleet', { limits: { ...limits, ...jetStream }, ...ofAccounts });
  const ofSystem = sign(operator, system, 'system', { limits, ...ofAccounts });
  return {
    lines: [
      `operator: "${ofOperator}"`,
      'resolver: MEMORY',
      `system_account: ${system.getPublicKey()}`,
      `resolver_preload: { ${account.getPublicKey()}: "${ofAccount}", ${system.getPublicKey()}: "${ofSystem}" }`,
    ],
    creds(name, allowed, until) {
      const user = createUser();
      const jwt = sign(
        account,
        user,
        name,
        {
          pub: allowed?.publish ?? {},
          sub: allowed?.subscribe ?? {},
          resp: { max: 1, ttl: DAY_NANOSECONDS },
          ...{ subs: ANY, data: ANY, payload: ANY },
          type: 'user',
          version: 2,
        },
        until,
      );
      const seed = new TextDecoder().decode(user.getSeed());
      return `-----BEGIN NATS USER JWT-----
${jwt}
------END NATS USER JWT------

************************* IMPORTANT *************************
NKEY Seed printed below can be used to sign and prove identity.

-----BEGIN USER NKEY SEED-----
${seed}
------END USER NKEY SEED------

*************************************************************
`;
    },
  };
}

function sign(issuer: KeyPair, subject: KeyPair, name: string, nats: object, until?: number): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = {
    jti: randomBytes(16).toString('hex'),
    iat: Math.floor(Date.now() / 1000),
    ...{ iss: issuer.getPublicKey(), sub: subject.getPublicKey(), name, nats },
    ...(until === undefined ? {} : { exp: until }),
  };
  const signed = `${encode({ typ: 'JWT', alg: 'ed25519-nkey' })}.${encode(claims)}`;
  return `${signed}.${Buffer.from(issuer.sign(Buffer.from(signed))).toString('base64url')}`;
}
