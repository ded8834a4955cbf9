/** Under which the overview is kept, for what changes it. */
export const OVERVIEW_KEY = ['overview'] as const;
