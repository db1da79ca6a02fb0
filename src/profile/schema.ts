/**
 * The schema of a profile: what a YAML file may say. Made of the tables of settings, so that the validation, the TypeScript types, the
 * JSON Schema that editors read (`schema/profile.schema.json`) and the reference (`docs/profile.md`) cannot differ. What comes out is
 * keyed as in the plan, with nothing filled in. What needs several keys at once is checked in `resolve.ts`.
 */
import { z } from 'zod';
import { MAX_KERNELS } from '../domain/guest.js';
import { LAB_KINDS } from '../domain/lab.js';
import { LIMIT_SCHEMA } from '../domain/metric-schema.js';
import { named, writtenShape } from '../domain/setting.js';
import { map, name } from '../domain/values.js';
import { DESTINATION_SETTINGS } from '../plan/destinations.js';
import {
  ADDRESS_SETTINGS,
  EXPERIMENT_SETTINGS,
  KERNEL_SETTINGS,
  LAB_SETTINGS,
  THRESHOLD_SETTINGS,
} from '../plan/experiment-settings.js';
import { LOAD_SETTINGS } from '../plan/load-settings.js';
import { NEIGHBOUR_SETTINGS } from '../plan/neighbour.js';
import { SEARCH_SETTINGS } from '../plan/search.js';
import { SUBJECT_KINDS, SUBJECT_SETTINGS } from '../subjects/index.js';
import { SUBJECT } from './complete.js';

/** Neighbours of one experiment. */
const MAX_NEIGHBOURS = 8;
/** Each has worker threads, and hosts of the origin. */
const MAX_SCENARIOS = 8;

const search = map({
  find: z.literal('max-rate').meta({
    description: 'the highest sustainable rate, of the baseline and of each variant',
    example: 'find: max-rate',
  }),
  ...writtenShape(SEARCH_SETTINGS),
}).transform(({ find, ...values }) => ({ find, ...named(SEARCH_SETTINGS, values) }));

const { pick, arrival, ...IN_LOAD } = LOAD_SETTINGS;
const arrivals = z.union([arrival.written, search]).meta({ example: `arrival: ${arrival.example}` });
const load = writtenShape(IN_LOAD);

const sysctls = z
  .record(z.string(), z.union([z.string(), z.int()]))
  .meta({ description: 'name: value, as sysctl(8) writes them', example: 'sysctls: { net.ipv4.tcp_tw_reuse: 1 }' });

const role = (example: string) => map({ sysctls: sysctls.optional() }).optional().meta({ example });
const roles = map({
  client: role('client: { sysctls: { net.ipv4.tcp_tw_reuse: 1 } }'),
  proxy: role('proxy: { sysctls: { net.ipv4.tcp_tw_reuse: 1 } }'),
  router: role('router: { sysctls: { net.netfilter.nf_conntrack_tcp_timeout_time_wait: 30 } }'),
  origin: role('origin: { sysctls: { net.ipv4.tcp_fin_timeout: 5 } }'),
}).meta({
  description: 'sysctls of one role; those at the top are of the role under test',
  example: 'roles: { origin: { sysctls: { net.ipv4.tcp_fin_timeout: 5 } } }',
});

const destinations = map(writtenShape(DESTINATION_SETTINGS)).meta({
  example: 'destinations: { addresses: 1, ports: 4 }',
});
const ownLoad = map({ ...load, arrival: arrivals.optional() })
  .transform((values) => ({ ...named(IN_LOAD, values), ...(values.arrival ? { arrival: values.arrival } : {}) }))
  .optional()
  .meta({ example: 'load: { strategy: bind-no-port }' });
const scenarios = z
  .array(
    map({
      name: name.written.meta({ description: 'what reports and metrics call it', example: 'name: bulk' }),
      load: ownLoad.meta({
        description: 'as load; a key that it leaves out is that of load',
        example: 'load: { hold: 1s }',
      }),
      destinations: destinations.optional().meta({
        description: 'hosts of its own; without them it goes to those of the first load',
        example: 'destinations: { ports: 4 }',
      }),
    }).meta({ example: '- { name: bulk, load: { arrival: { shape: constant, rate: 100/s, duration: 10s } } }' }),
  )
  .max(MAX_SCENARIOS)
  .optional()
  .meta({
    description:
      'further loads of the program under test, which begin with the first one (its name is load); a variant changes them by name',
    example: 'scenarios: [{ name: bulk, load: { arrival: { shape: constant, rate: 100/s, duration: 10s } } }]',
  });
const lab = writtenShape(LAB_SETTINGS);
const subject = writtenShape(SUBJECT_SETTINGS);
const addresses = map(writtenShape(ADDRESS_SETTINGS));

const variant = map({
  name: name.written.meta({ example: 'name: wider-range' }),
  description: z.string().max(500).optional().meta({ example: 'description: what it is for' }),
  subject: map(subject).optional().meta({ example: 'subject: { persistent: true }' }),
  sysctls: sysctls.optional(),
  roles: roles.optional(),
  load: ownLoad,
  scenarios,
  addresses: addresses.optional().meta({ example: 'addresses: { count: 100 }' }),
  destinations: destinations.optional(),
  skipMissing: z.boolean().optional().meta({
    description: 'with kernels: run without the sysctls that a kernel lacks, and say which, instead of not at all',
    example: 'skipMissing: true',
  }),
}).meta({ example: '- { name: no-port, load: { strategy: bind-no-port } }' });

export const profileSchema = map({
  $schema: z.string().optional(),
  name: name.written.meta({ description: 'names the result folder', example: 'name: my-experiment' }),
  description: z.string().max(2000).optional().meta({
    description: 'shown by profiles, plan and the report',
    example: 'description: what it is for',
  }),
  lab: map({ ...lab, kind: z.enum(LAB_KINDS).meta(lab.kind.meta()!) })
    .optional()
    .meta({ example: 'lab: { kind: netns }' }),
  kernels: z
    .array(
      z.union([z.string().meta({ description: 'as lab.kernel' }), map(writtenShape(KERNEL_SETTINGS))]).meta({
        example: '- bookworm',
      }),
    )
    .min(1)
    .max(MAX_KERNELS)
    .optional()
    .meta({
      description: 'vm only, instead of lab.kernel: baseline and variants run on each of these kernels, side by side',
      example: 'kernels: [bookworm, trixie]',
    }),
  allowHostChanges: z.boolean().optional().meta({
    description: 'must be true for the host lab, which changes and restores sysctls of this machine',
    example: 'allowHostChanges: true',
    defaultText: 'false',
  }),
  allow: z
    .array(z.string().meta({ example: '- "10.20.0.10:3128"' }))
    .max(4096)
    .optional()
    .meta({
      description: 'targets outside the lab that this profile may load, for example 192.0.2.10:3128',
      example: 'allow: ["10.20.0.10:3128"]',
    }),
  subject: map({
    kind: z.enum(SUBJECT_KINDS).meta({
      description:
        "what is under test: the harness's own sockets (direct), a proxy that the lab starts between client and origin, the NAT of a router between them (nat), or a proxy that runs elsewhere (external)",
      example: 'kind: direct',
      defaultText: SUBJECT,
    }),
    ...subject,
  })
    .optional()
    .meta({ example: 'subject: { kind: direct }' }),
  addresses: z
    .union([z.string().meta({ description: 'a CIDR' }), addresses])
    .meta({ example: 'addresses: 10.50.0.0/24' }),
  destinations: destinations.optional(),
  load: map({ ...load, arrival: arrivals })
    .transform((values) => ({ ...named(IN_LOAD, values), arrival: values.arrival }))
    .meta({ example: 'load: { arrival: { shape: constant, rate: 2000/s, duration: 10s } }' }),
  scenarios,
  sysctls: sysctls.optional().meta({
    description:
      "the baseline's sysctls, as name: value; of the role under test: the proxy where there is one, else the client (a router has its own under roles)",
    example: 'sysctls: { net.ipv4.tcp_tw_reuse: 1 }',
  }),
  roles: roles.optional(),
  neighbours: z
    .array(map(writtenShape(NEIGHBOUR_SETTINGS)).transform((values) => named(NEIGHBOUR_SETTINGS, values)))
    .max(MAX_NEIGHBOURS)
    .optional()
    .meta({ description: 'small loads beside the main one, the same in every arm: a fix must not starve them' }),
  variants: z.array(variant).min(1).max(64).meta({
    example: 'variants: [{ name: no-port, load: { strategy: bind-no-port } }]',
  }),
  ...writtenShape(EXPERIMENT_SETTINGS),
  thresholds: z
    .array(
      map(writtenShape(THRESHOLD_SETTINGS)).meta({
        ...LIMIT_SCHEMA,
        example: '- { metric: failures.share, max: 0 }',
      }),
    )
    .max(100)
    .optional()
    .meta({
      description: 'limits that decide the exit code',
      example: 'thresholds: [{ metric: failures.share, max: 0 }]',
    }),
}).describe('A bindstorm profile: a baseline, its variants, and what to measure');

/** A profile as the schema reads it: units parsed, keys as in the plan, nothing filled in. */
export type ProfileInput = z.infer<typeof profileSchema>;
export type VariantInput = ProfileInput['variants'][number];
/** `arrival: { find: max-rate, … }`. */
export type FindInput = z.infer<typeof search>;
