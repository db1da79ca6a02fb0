/**
 * What the control group of a process tells of its container: /proc/PID/cgroup (cgroups(7)), in the forms that container runtimes and
 * systemd give it. Pure but for the reader.
 *
 *     0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod<uid>.slice/cri-containerd-<id>.scope     kubelet, systemd driver
 *     0::/kubepods/burstable/pod<uid>/<id>                                                                        kubelet, cgroupfs driver
 *     0::/system.slice/docker-<id>.scope    12:pids:/docker/<id>                                                  Docker
 *     0::/machine.slice/libpod-<id>.scope/container                                                               Podman
 *     0::/lxc.payload.<name>    0::/machine.slice/systemd-nspawn@<name>.service                                   LXC, systemd-nspawn
 */
import { readFileSync } from 'node:fs';
import { unlessThrown } from '../domain/error.js';

export interface ControlGroup {
  /** The path, as `/system.slice/nginx.service`. */
  readonly path: string;
  /** 64 hexadecimal digits; null: it is none of a container runtime. */
  readonly container: string | null;
  /** UID of the pod, with dashes as the API has it; null: it is none of a pod. */
  readonly pod: string | null;
  /** A name that the path itself has: of an LXC or nspawn container, or of a systemd unit. */
  readonly name: string | null;
}

const CONTAINER = /(?:^|[/:-])([\da-f]{64})(?:\.scope)?(?=\/|$)/;
/** Of a static pod it is a hash without dashes. */
const POD = /(?:^|[/-])pod([\da-f]{8}(?:[-_][\da-f]{4}){3}[-_][\da-f]{12}|[\da-f]{32})(?=[./]|$)/;
const NAMES = [
  /(?:^|\/)lxc(?:\.payload)?[./]([^/]+)/,
  /systemd-nspawn@([^/]+)\.service/,
  /\/machine-([^/]+)\.scope/,
  /\/([^/]+\.(?:service|socket))(?=\/|$)/,
];

/** Read what the text of /proc/PID/cgroup tells. Of several hierarchies the one that names a container, else that of version 2, else the longest. */
export function parseControlGroup(text: string): ControlGroup {
  const paths = text
    .split('\n')
    .map((line) => /^(\d+):[^:]*:(.*)$/.exec(line))
    .filter((match) => match !== null)
    .map(([, hierarchy, path]) => ({ isUnified: hierarchy === '0', path: path! }));
  const of = paths.map(({ path }) => described(path));
  const unified = paths.find(({ isUnified, path }) => isUnified && path !== '/');
  const longest = [...of].sort((a, b) => b.path.length - a.path.length)[0];
  return (
    of.find(({ container, pod }) => container !== null || pod !== null) ??
    (unified && described(unified.path)) ??
    longest ??
    described('/')
  );
}

function described(path: string): ControlGroup {
  return {
    path,
    container: CONTAINER.exec(path)?.[1] ?? null,
    pod: POD.exec(path)?.[1]?.replaceAll('_', '-') ?? null,
    name: NAMES.map((form) => form.exec(path)?.[1]).find((name) => name !== undefined) ?? null,
  };
}

/** The control group of a process; null: it has ended, or may not be read. */
export function controlGroupOf(pid: number): ControlGroup | null {
  return unlessThrown(() => parseControlGroup(readFileSync(`/proc/${pid}/cgroup`, 'utf8')), null);
}
