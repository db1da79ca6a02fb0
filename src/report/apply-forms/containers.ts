/**
 * The change for containers that docker, podman or compose start. Source: docker-run(1), podman-run(1),
 * github.com/compose-spec/compose-spec, 05-services.md (`sysctls`).
 */
import { comment, type Form, lines } from './form.js';
import { pathOf } from './kubernetes.js';

/** A container that shares the machine's namespace cannot have values of its own. */
const HOST_NETWORK =
  'The container needs a network namespace of its own: with --network host (network_mode: host) the values would be those of the machine, and docker refuses them; use the drop-in there.';

/** A script for sh(1) that stands for `docker run`. */
export const DOCKER_RUN: Form = {
  of: 'docker run',
  namespaceOnly: true,
  write: ({ title, facts, sysctls }) => ({
    name: 'docker-run.sh',
    content: lines([
      '#!/bin/sh',
      ...comment([
        title,
        '',
        ...facts,
        '',
        HOST_NETWORK,
        'It takes what `docker run` takes; DOCKER=podman runs podman instead:',
        '  sh docker-run.sh --detach --name NAME IMAGE',
        'Check:',
        ...sysctls.map(({ name }) => `  docker exec NAME cat /proc/sys/${pathOf(name)}`),
        'Go back: make the container again with `docker run`.',
      ]),
      // biome-ignore lint/suspicious/noTemplateCurlyInString: of the shell
      'exec "${DOCKER:-docker}" run \\',
      ...sysctls.map(({ name, value }) => `  --sysctl '${name}=${value}' \\`),
      '  "$@"',
    ]),
  }),
};

/** A second file of compose, laid over the user's. */
export const COMPOSE: Form = {
  of: 'compose',
  namespaceOnly: true,
  write: ({ title, facts, sysctls }) => ({
    name: 'compose.sysctls.yaml',
    content: lines([
      ...comment([
        title,
        '',
        ...facts,
        '',
        HOST_NETWORK,
        'Put the name of your service in place of SERVICE, then lay this file over your own; the container is made again:',
        '  docker compose -f compose.yaml -f compose.sysctls.yaml up --detach',
        'Check:',
        ...sysctls.map(({ name }) => `  docker compose exec SERVICE cat /proc/sys/${pathOf(name)}`),
        'Go back: the same without this file.',
      ]),
      'services:',
      '  SERVICE:',
      '    sysctls:',
      ...sysctls.map(({ name, value }) => `      ${name}: ${JSON.stringify(value)}`),
    ]),
  }),
};
