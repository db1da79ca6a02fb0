/**
 * Which workload a process, or a namespace, belongs to: by its control group, and by the names of containers.
 */
import type { Workload } from '../gauge/workload.js';
import { commandOf, type Process } from '../kernel/socket-owners.js';
import { type ControlGroup, controlGroupOf } from '../machine/cgroup.js';
import { type ContainerNames, readContainerNames } from '../machine/containers.js';

export interface Workloads {
  /** Read the names anew where one of these processes is in a container that has none yet. */
  refresh(pids: readonly number[]): Promise<void>;
  /** Null: the process has ended. */
  ofProcess(pid: number): Workload | null;
  /** Of a process that has ended, by the control group in which it was. */
  ofGroup(group: ControlGroup, process: Pick<Process, 'command'>): Workload;
  /** Of the processes of one namespace. @param name by which the namespace is kept, as of ip-netns(8) @param isHost that of the machine */
  ofNamespace(pids: readonly number[], name: string | null, isHost: boolean): Workload;
}

/** Processes of a namespace that are asked: those of one container are all alike. */
const MOST_ASKED = 50;
/** How often a container without a name is asked for again, ms. */
const AGAIN_MS = 30_000;

/** Begin to name. @param now in ms */
export function createWorkloads(now: () => number = () => performance.now()): Workloads {
  let names: ContainerNames = { container: () => undefined, pod: () => undefined };
  let readAt = Number.NEGATIVE_INFINITY;
  const isUnknown = ({ container, pod }: ControlGroup) =>
    (container !== null && names.container(container) === undefined) ||
    (container === null && pod !== null && names.pod(pod) === undefined);

  function ofGroup(group: ControlGroup, process: Pick<Process, 'command'>): Workload {
    const { container: id, pod: uid } = group;
    const known = id === null ? undefined : names.container(id);
    const pod = known?.pod ?? (uid === null ? null : (names.pod(uid)?.pod ?? uid));
    const namespace = known?.namespace ?? (uid === null ? null : (names.pod(uid)?.namespace ?? null));
    const container = known?.container ?? id?.slice(0, 12) ?? null;
    const name =
      pod !== null ? [namespace, pod].filter((part) => part !== null).join('/') : (container ?? group.name ?? null);
    return { name: name ?? process.command, pod, namespace, container };
  }

  function ofProcess(pid: number): Workload | null {
    const group = controlGroupOf(pid);
    return group && ofGroup(group, { command: commandOf(pid) });
  }

  return {
    async refresh(pids) {
      const groups = pids.map(controlGroupOf).filter((group) => group !== null);
      if (!groups.some(isUnknown) || now() - readAt < AGAIN_MS) return;
      readAt = now();
      names = await readContainerNames(groups.flatMap(({ container }) => container ?? []));
    },
    ofProcess,
    ofGroup,
    ofNamespace(pids, name, isHost) {
      const all = pids.slice(0, MOST_ASKED).flatMap((pid) => ofProcess(pid) ?? []);
      if (isHost) return { name: 'host', pod: null, namespace: null, container: null };
      const [first] = all;
      // The containers of a pod share its namespace.
      const pod = all.find((each) => each.pod !== null);
      const isOne = all.every((each) => each.container === first?.container);
      if (pod) return isOne && first ? first : { ...pod, container: null };
      if (first?.container != null && isOne) return first;
      return { name: name ?? first?.name ?? 'nobody', pod: null, namespace: null, container: null };
    },
  };
}
