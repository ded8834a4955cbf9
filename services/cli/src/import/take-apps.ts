import { ENVIRONMENTS, type Environment, type Provider, type SecretBox } from '@heliograph/core';
import {
  findAppRef,
  takeApp,
  takeCredential,
  toKeyPlace,
  type Credential,
  type CredentialSettings,
  type Db,
  type PowerAuthApp,
  type PowerAuthSource,
} from '@heliograph/db';

import { toFingerprint } from './fingerprint.ts';
import type { Finding } from './report.ts';
import type { Step } from './step.ts';

const PAGE_ROWS = 100;

/** A credential of the original: there, not there, or there in parts. */
type Found =
  | (CredentialSettings & { readonly environment: Environment | null; readonly key: Buffer })
  | undefined
  | string;

export function createAppsStep(deps: {
  readonly source: PowerAuthSource;
  readonly secrets: SecretBox;
}): Step {
  return {
    name: 'apps',
    count: () => deps.source.count('apps'),
    async read(cursor) {
      const apps = await deps.source.listApps({ after: Number(cursor ?? 0), limit: PAGE_ROWS });
      const last = apps.at(-1);
      return {
        rows: apps.length,
        next: last === undefined || apps.length < PAGE_ROWS ? null : String(last.sourceId),
        async take(tx, importRef) {
          const findings: Finding[] = [];
          for (const app of apps)
            findings.push(...(await takeWithCredentials(deps.secrets, tx, importRef, app)));
          return findings;
        },
        async compare(db) {
          const findings: Finding[] = [];
          for (const app of apps) {
            const isKnown = (await findAppRef(db, app.appId)) !== undefined;
            const counted = isKnown ? 'unchanged' : 'added';
            findings.push(...toReadFindings(app), { kind: 'apps', counted, count: 1 });
          }
          return findings;
        },
      };
    },
  };
}

function toReadFindings(app: PowerAuthApp): readonly Finding[] {
  const credentials = [findApns(app), findFcm(app)];
  return [
    { kind: 'apps', counted: 'read', count: 1 },
    {
      kind: 'credentials',
      counted: 'read',
      count: credentials.filter((found) => found !== undefined).length,
    },
    ...[...credentials, findHuawei(app)]
      .filter((found) => typeof found === 'string')
      .map((skipped): Finding => ({ kind: 'credentials', skipped, row: app.appId })),
    ...toEnvironmentRemarks(app),
  ];
}

async function takeWithCredentials(
  secrets: SecretBox,
  tx: Db,
  importRef: number,
  app: PowerAuthApp,
): Promise<readonly Finding[]> {
  const { id: appRef, taken } = await takeApp(tx, app.appId);
  const findings: Finding[] = [...toReadFindings(app), { kind: 'apps', counted: taken, count: 1 }];
  for (const [provider, found] of [
    ['apns', findApns(app)],
    ['fcm', findFcm(app)],
  ] as const) {
    // What is there in parts is of no use, but is no reason to remove what is here.
    if (typeof found === 'string') continue;
    const became = await takeCredential(tx, {
      importRef,
      appRef,
      provider,
      fingerprint: toFingerprint(
        found === undefined ? [] : [found.settings, found.environment, found.key.toString('hex')],
      ),
      credential: found && toCredential(secrets, appRef, provider, found),
    });
    if (became === undefined) continue;
    findings.push({ kind: 'credentials', counted: became, count: 1 });
    if (became === 'kept')
      findings.push({
        kind: 'credentials',
        remark: `the ${provider} credential here was saved here, and stays`,
        row: app.appId,
      });
  }
  return findings;
}

function toCredential(
  secrets: SecretBox,
  appRef: number,
  provider: Provider,
  { key, ...found }: Exclude<Found, string | undefined>,
): Credential {
  return { ...found, appRef, sealedKey: secrets.seal(key, toKeyPlace(appRef, provider)) };
}

/** The original follows a setting of its process there, which is not in its database. */
function toEnvironmentRemarks(app: PowerAuthApp): readonly Finding[] {
  const found = findApns(app);
  if (found === undefined || typeof found === 'string' || found.environment !== null) return [];
  const remark =
    'of APNs that name no environment: production here, whatever apns.useDevelopment of the original says';
  return [{ kind: 'credentials', remark, row: app.appId }];
}

function findApns(app: PowerAuthApp): Found {
  const { apnsKey: key, apnsBundle, apnsKeyId, apnsTeamId } = app;
  if (!key?.length && !apnsBundle && !apnsKeyId && !apnsTeamId) return undefined;
  if (!key?.length || !apnsBundle || !apnsKeyId || !apnsTeamId)
    return 'a credential of APNs that lacks its key, bundle, key id or team id';
  const environment = parseEnvironment(app.apnsEnvironment);
  if (environment === undefined) return 'a credential of APNs with an unknown environment';
  const settings = { bundle: apnsBundle, keyId: apnsKeyId, teamId: apnsTeamId };
  return { provider: 'apns', settings, environment, key };
}

function findFcm({ fcmKey: key, fcmProjectId: projectId }: PowerAuthApp): Found {
  if (!key?.length && !projectId) return undefined;
  if (!key?.length || !projectId) return 'a credential of FCM that lacks its key or project';
  return { provider: 'fcm', settings: { projectId }, environment: null, key };
}

function findHuawei({ huawei }: PowerAuthApp): Found {
  return huawei ? 'a credential of Huawei, for which there is no provider here' : undefined;
}

/** In any case of letters; null where none is named, undefined where it is none that we know. */
export function parseEnvironment(name: string | null): Environment | null | undefined {
  if (name === null || name === '') return null;
  return ENVIRONMENTS.find((known) => known === name.toLowerCase());
}
