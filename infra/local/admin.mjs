// A caller of the HTTP API, as `npm start` and the demo are.

/** Sends one request with the API key, and resolves with the answer's object; rejects unless the server says OK. */
export async function call({ baseUrl, key }, method, path, requestObject) {
  const response = await fetch(baseUrl + path, {
    method,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    ...(requestObject !== undefined && { body: JSON.stringify({ requestObject }) }),
    signal: AbortSignal.timeout(15_000),
  });
  const answer = await response.json();
  if (answer.status !== 'OK') {
    throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
  }
  return answer.responseObject;
}

/** The client that other programs use. It is not built yet when this file is loaded on a fresh checkout. */
export async function openClient({ baseUrl, key }) {
  const { createClient } = await import('@heliograph/client');
  return createClient({ baseUrl, apiKey: key });
}

/** Where there is no app yet, makes one whose credentials the sandbox accepts. Resolves with the id to use. */
export async function ensureSandboxApp(api, credentials) {
  const { applicationList } = await call(api, 'GET', '/admin/app/list');
  const app = applicationList[0] ?? (await createApp(api));
  if (!app.ios)
    await call(api, 'PUT', '/admin/app/ios/update', { id: app.id, ...credentials.apns });
  if (!app.android) {
    await call(api, 'PUT', '/admin/app/android/update', { id: app.id, ...credentials.fcm });
  }
  return app.appId;
}

function createApp(api) {
  return call(api, 'POST', '/admin/app/create', { appId: 1, appName: 'Demo' });
}
