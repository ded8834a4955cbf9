import { readFileSync } from 'node:fs';
import path from 'node:path';

import type { BenchProcess, Processes } from './processes.ts';

/** What was received by one of the fake providers. */
interface Received {
  readonly accepted: number;
  readonly duplicates: number;
  readonly pushes: readonly ReceivedPush[];
}

export interface ReceivedPush {
  readonly at: string;
  readonly token: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export interface SandboxCredentials {
  readonly apns: {
    readonly bundle: string;
    readonly keyId: string;
    readonly teamId: string;
    readonly privateKeyBase64: string;
  };
  readonly fcm: { readonly projectId: string; readonly privateKeyBase64: string };
}

/** The fake providers in a process of their own. */
export interface BenchSandbox {
  readonly process: BenchProcess;
  /** Where APNs' pushes of development go. */
  readonly apnsDevelopmentUrl: string;
  readonly caFile: string;
  readonly credentials: SandboxCredentials;
  /** What makes services send to it. */
  readonly env: Readonly<Record<string, string>>;
  /** With the last `limit` pushes of each provider. */
  received(limit: number): Promise<{ readonly apns: Received; readonly fcm: Received }>;
  /** Forgets what arrived. */
  clear(): Promise<void>;
}

interface Listening {
  readonly apnsUrl: string;
  readonly apnsDevelopmentUrl: string;
  readonly fcmUrl: string;
  readonly tokenUrl: string;
  readonly controlUrl: string;
}

export async function startSandbox(processes: Processes, folder: string): Promise<BenchSandbox> {
  const started = processes.start('sandbox', 'packages/sandbox/dist/main.js', {
    env: { SANDBOX_DIR: folder, CONTROL_PORT: '0' },
  });
  const urls = await started.next<Listening>();
  const caFile = path.join(folder, 'ca.pem');
  const credentials = readFileSync(path.join(folder, 'credentials.json'), 'utf8');

  async function control<T>(method: string, query: string): Promise<T> {
    const answer = await fetch(`${urls.controlUrl}/received${query}`, { method });
    return (await answer.json()) as T;
  }
  return {
    process: started,
    apnsDevelopmentUrl: urls.apnsDevelopmentUrl,
    caFile,
    credentials: JSON.parse(credentials) as SandboxCredentials,
    env: {
      APNS_URL: urls.apnsUrl,
      APNS_SANDBOX_URL: urls.apnsDevelopmentUrl,
      APNS_CA_FILE: caFile,
      FCM_URL: urls.fcmUrl,
      FCM_TOKEN_URL: urls.tokenUrl,
      FCM_CA_FILE: caFile,
    },
    received: (limit) => control('GET', `?limit=${limit}`),
    clear: () => control('DELETE', ''),
  };
}
