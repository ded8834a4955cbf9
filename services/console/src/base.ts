/*
 * The api serves the console under any of its base paths, so the build does not know where it will be. The built code stands
 * in `<console>/assets/`, which tells.
 */
const HERE = new URL(import.meta.env.DEV ? '/' : '..', import.meta.url);

/** Where the console is, such as `/console`: what deep links begin with. */
export const CONSOLE_PATH = HERE.pathname.replace(/\/$/, '');

/** Where the api is that serves it, with a slash at its end. */
export const API_URL = import.meta.env.DEV ? HERE : new URL('..', HERE);
