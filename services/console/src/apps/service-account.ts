/** What the console reads of a service account's file; its key is for the api alone. */
export interface ServiceAccount {
  readonly projectId: string;
  readonly clientEmail: string;
}

/** Undefined for what is not the JSON of a service account, such as the `google-services.json` that belongs into the app. */
export function readServiceAccount(text: string): ServiceAccount | undefined {
  const file = parseJson(text);
  if (typeof file !== 'object' || file === null) return undefined;
  if (!('type' in file) || file.type !== 'service_account') return undefined;
  const projectId = 'project_id' in file ? file.project_id : undefined;
  const clientEmail = 'client_email' in file ? file.client_email : undefined;
  const hasKey = 'private_key' in file && typeof file.private_key === 'string';
  if (!hasKey || typeof projectId !== 'string' || typeof clientEmail !== 'string') return undefined;
  return { projectId, clientEmail };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
