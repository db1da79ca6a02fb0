/**
 * What a network namespace, or a process in one that many share, is to an operator: a pod, a container, a service, the host. Pure.
 */
export interface Workload {
  /** What a row is called: `default/web-7c9d`, `web`, `nginx.service`, `host`. */
  readonly name: string;
  /** Of Kubernetes; null: it is none, or not known. */
  readonly pod: string | null;
  readonly namespace: string | null;
  readonly container: string | null;
}

/** Labels of a metric; what is not known is left out, which Prometheus takes for empty. */
export function workloadLabels({ name, pod, namespace, container }: Workload): Record<string, string> {
  return {
    workload: name,
    ...(pod === null ? {} : { pod }),
    ...(namespace === null ? {} : { namespace }),
    ...(container === null ? {} : { container }),
  };
}

/** Who it is, in one word for each: the same text for the same workload. */
export function workloadKey({ name, pod, namespace, container }: Workload): string {
  return [name, namespace, pod, container].join('\0');
}
