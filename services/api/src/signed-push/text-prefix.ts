/** The first so many code points of a text, with no pair of surrogates cut in two. */
export function toPrefix(text: string, codePoints: number): string {
  if (text.length <= codePoints) return text;
  // Each takes two places at most: no need to look at all of a long text.
  return Array.from(text.slice(0, 2 * codePoints))
    .slice(0, codePoints)
    .join('');
}
