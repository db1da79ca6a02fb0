/**
 * All other forms of a recommended change, in the order in which they are told. A new one is a file here and a row. Pure.
 */
import { ANSIBLE } from './ansible.js';
import { COMPOSE, DOCKER_RUN } from './containers.js';
import type { AppliedChange, ApplyFile, Form } from './form.js';
import { KUBERNETES } from './kubernetes.js';
import { SYSTEMD, TUNED } from './services.js';

const FORMS: readonly Form[] = [KUBERNETES, DOCKER_RUN, COMPOSE, ANSIBLE, TUNED, SYSTEMD];

interface OtherForms {
  readonly files: readonly ApplyFile[];
  /** A sentence about those that there are not; null: there are all. */
  readonly without: string | null;
}

/** The files of a change beside its drop-in, and why some are missing. */
export function otherForms(change: AppliedChange): OtherForms {
  const fits = (form: Form) => !form.namespaceOnly || change.machineWide.length === 0;
  const missing = FORMS.filter((form) => !fits(form)).map((form) => form.of);
  return {
    files: FORMS.filter(fits).map((form) => form.write(change)),
    without:
      missing.length === 0
        ? null
        : `${change.machineWide.join(', ')}: one value for the whole machine, so there is no file for ${missing.join(', ')}`,
  };
}
