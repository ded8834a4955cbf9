import { findAppRefs, type Db } from '@heliograph/db';
import type { Logger } from 'pino';

import type { EndpointDoc } from '../http/endpoint.ts';
import type { RequestOrigin } from '../origin.ts';
import { recordAct } from './audit.ts';
import type { BoundApp, Caller } from './caller.ts';
import { isNamed, refuseEveryApp, type Subject } from './subject.ts';

/** A request as it is about to be done. */
export interface Act<Input, Answer> {
  readonly doc: EndpointDoc;
  readonly subject: Subject<Input, Answer>;
  readonly input: Input;
  readonly caller: Caller;
  readonly origin: RequestOrigin;
  readonly handle: () => Promise<Answer>;
}

/** Stands between every endpoint and its verb. */
export interface Guard {
  /** Does it where what it is about is the caller's; otherwise says what is said of a thing that there is not. Acts of control are recorded. */
  run<Input, Answer>(act: Act<Input, Answer>): Promise<Answer>;
}

export interface GuardDeps {
  readonly db: Db;
  readonly log: Logger;
}

export function createGuard(deps: GuardDeps): Guard {
  return {
    async run(act) {
      const { doc, subject, input, caller } = act;
      if (caller.app !== null && !(await isOwn(deps.db, subject, input, caller.app)))
        return toMissing(subject, input);
      if (!isRecorded(doc)) return act.handle();
      const appRef = caller.app?.ref ?? (await findAppRef(deps.db, subject, input)) ?? null;
      return recordAct(deps, { ...act, appRef });
    },
  };
}

async function isOwn<Input, Answer>(
  db: Db,
  subject: Subject<Input, Answer>,
  input: Input,
  app: BoundApp,
): Promise<boolean> {
  switch (subject.kind) {
    case 'nothing':
    case 'filtered':
      return true;
    case 'every_app':
      return false;
    case 'named':
      return subject.names(input).every((name) => isNamed(name, app));
    case 'owned':
      return (await subject.find(db, input)).includes(app.ref);
  }
}

function toMissing<Input, Answer>(subject: Subject<Input, Answer>, input: Input): Answer {
  switch (subject.kind) {
    case 'named':
      throw subject.missing(input);
    case 'owned':
      return subject.missing(input);
    case 'nothing':
    case 'filtered':
    case 'every_app':
      throw refuseEveryApp();
  }
}

/** Whether it changes what is sent to whom: administration, and the control of campaigns. */
export function isRecorded({ scope, methods, readsOnly }: EndpointDoc): boolean {
  if (scope === 'open' || readsOnly || methods.includes('get')) return false;
  return scope.some((one) => one === 'admin' || one === 'campaigns' || one === 'campaigns:send');
}

/** The app that the record names. */
async function findAppRef<Input, Answer>(
  db: Db,
  subject: Subject<Input, Answer>,
  input: Input,
): Promise<number | undefined> {
  if (subject.kind === 'owned') return (await subject.find(db, input))[0];
  const [name] = subject.kind === 'named' ? subject.names(input) : [];
  if (name?.id !== undefined) return name.id;
  return name?.appId === undefined
    ? undefined
    : (await findAppRefs(db, [name.appId])).get(name.appId);
}
