/**
 * The names of the containers of this machine: from the files in which a kubelet keeps their logs, and from the program of a runtime where
 * one is installed and there is a container that the files do not name. Reads only.
 */
import { readdirSync } from 'node:fs';
import { promisify } from 'node:util';
import { unlessThrown } from '../domain/error.js';
import { findProgram } from './programs.js';

export interface ContainerName {
  readonly container: string;
  /** Of Kubernetes; null: it is of no pod, or of one that is not known. */
  readonly pod: string | null;
  readonly namespace: string | null;
}

export interface ContainerNames {
  /** By the 64 hexadecimal digits of the container. */
  container(id: string): ContainerName | undefined;
  /** By the UID of the pod. */
  pod(uid: string): Pick<ContainerName, 'pod' | 'namespace'> | undefined;
}

/** `<namespace>_<pod>_<uid>`, made by the kubelet (BuildPodLogsDirectory(), pkg/kubelet/kuberuntime/helpers.go). */
const POD_LOGS = '/var/log/pods';
/** `<pod>_<namespace>_<container>-<id>.log` (LogSymlink(), pkg/kubelet/kuberuntime/legacy.go). */
const CONTAINER_LOGS = '/var/log/containers';
/** A daemon that does not answer is not waited for. */
const ANSWER_DEADLINE_MS = 2_000;
const MOST_BYTES = 16 << 20;

type Named = Map<string, ContainerName>;

/** Programs of runtimes, and how each lists its containers. */
const RUNTIMES: readonly {
  readonly program: string;
  readonly args: readonly string[];
  readonly read: (text: string, named: Named) => void;
}[] = [
  { program: 'crictl', args: ['ps', '--output', 'json'], read: readCrictl },
  ...['docker', 'podman'].map((program) => ({
    program,
    args: ['ps', '--no-trunc', '--format', '{{.ID}}\t{{.Names}}'],
    read: readTable,
  })),
];

/**
 * The names that are known now.
 * @param wanted containers whose names are wanted: only when the files do not name one of them is a runtime asked
 */
export async function readContainerNames(wanted: readonly string[]): Promise<ContainerNames> {
  const pods = readPods(namesIn(POD_LOGS));
  const named = readLogLinks(namesIn(CONTAINER_LOGS));
  for (const { program, args, read } of RUNTIMES) {
    if (wanted.every((id) => named.has(id))) break;
    const path = findProgram(program);
    if (path === undefined) continue;
    const options = { timeout: ANSWER_DEADLINE_MS, maxBuffer: MOST_BYTES, encoding: 'utf8' } as const;
    // Most machines have none to be asked.
    const { execFile } = await import('node:child_process');
    const { stdout } = await promisify(execFile)(path, [...args], options).catch(() => ({ stdout: '' }));
    unlessThrown(() => read(stdout, named), undefined);
  }
  return { container: (id) => named.get(id), pod: (uid) => pods.get(uid) };
}

function namesIn(folder: string): string[] {
  return unlessThrown(() => readdirSync(folder), []);
}

/** UID → names, from the names of folders. Neither a namespace nor a pod may have an underscore (RFC 1123). */
export function readPods(folders: readonly string[]): Map<string, Pick<ContainerName, 'pod' | 'namespace'>> {
  return new Map(
    folders.flatMap((folder) => {
      const [, namespace, pod, uid] = /^([^_]+)_([^_]+)_([\da-f-]{32,36})$/.exec(folder) ?? [];
      return uid === undefined ? [] : [[uid, { namespace: namespace!, pod: pod! }] as const];
    }),
  );
}

/** Container → names, from the names of links. */
export function readLogLinks(links: readonly string[]): Named {
  return new Map(
    links.flatMap((link) => {
      const [, pod, namespace, container, id] = /^([^_]+)_([^_]+)_(.+)-([\da-f]{64})\.log$/.exec(link) ?? [];
      return id === undefined ? [] : [[id, { container: container!, pod: pod!, namespace: namespace! }] as const];
    }),
  );
}

interface CrictlList {
  readonly containers?: readonly {
    readonly id?: string;
    readonly metadata?: { readonly name?: string };
    readonly labels?: Readonly<Record<string, string>>;
  }[];
}

/** `crictl ps --output json`, the answer of the CRI's ListContainers. */
export function readCrictl(text: string, named: Named): void {
  for (const { id, metadata, labels } of (JSON.parse(text) as CrictlList).containers ?? []) {
    if (id === undefined) continue;
    named.set(id, {
      container: metadata?.name ?? id.slice(0, 12),
      pod: labels?.['io.kubernetes.pod.name'] ?? null,
      namespace: labels?.['io.kubernetes.pod.namespace'] ?? null,
    });
  }
}

/** `ps --format '{{.ID}}\t{{.Names}}'` of docker(1) and podman(1). */
export function readTable(text: string, named: Named): void {
  for (const line of text.split('\n')) {
    const [id, name] = line.split('\t');
    if (id && name && !named.has(id)) named.set(id, { container: name, pod: null, namespace: null });
  }
}
