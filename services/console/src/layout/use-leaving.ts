import { useEffect, useRef, type RefObject } from 'react';

/** Aborts when what uses it is no longer shown: for work that goes on only as long as somebody looks at it. */
export function useLeaving(): RefObject<AbortController> {
  const leaving = useRef(new AbortController());
  useEffect(() => {
    const controller = new AbortController();
    leaving.current = controller;
    return () => controller.abort();
  }, []);
  return leaving;
}
