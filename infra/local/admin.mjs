// A caller of the HTTP API, as `npm start` and the demo are.

/** Sends one request and resolves with the answer's object; rejects unless the server says OK. */
export async function call(baseUrl, method, path, requestObject) {
  const response = await fetch(baseUrl + path, {
    method,
    ...(requestObject !== undefined && jsonBody({ requestObject })),
    signal: AbortSignal.timeout(15_000),
  });
  const answer = await response.json();
  if (answer.status !== 'OK') {
    throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
  }
  return answer.responseObject;
}

function jsonBody(body) {
  return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

/** Where there is no app yet, makes one whose credentials the sandbox accepts. Resolves with the id to use. */
export async function ensureSandboxApp(baseUrl, credentials) {
  const { applicationList } = await call(baseUrl, 'GET', '/admin/app/list');
  const app = applicationList[0] ?? (await createApp(baseUrl));
  if (!app.ios)
    await call(baseUrl, 'PUT', '/admin/app/ios/update', { id: app.id, ...credentials.apns });
  if (!app.android) {
    await call(baseUrl, 'PUT', '/admin/app/android/update', { id: app.id, ...credentials.fcm });
  }
  return app.appId;
}

function createApp(baseUrl) {
  return call(baseUrl, 'POST', '/admin/app/create', { appId: 1, appName: 'Demo' });
}
