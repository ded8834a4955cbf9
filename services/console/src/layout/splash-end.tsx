import { useLayoutEffect, type ReactNode } from 'react';

/** Takes away what `index.html` shows by itself, in the same frame in which what is inside is there. */
export function SplashEnd({ children }: { readonly children: ReactNode }) {
  useLayoutEffect(() => document.querySelector('#splash')?.remove(), []);
  return children;
}
