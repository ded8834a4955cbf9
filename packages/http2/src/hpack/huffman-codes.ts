/**
 * RFC 7541 appendix B as the length of each code in bits: one base-36 digit for each octet, and one for EOS.
 * Codes of one length count up in the order of their octets and longer ones go on from there, so the lengths say it all.
 */
const LENGTHS =
  'dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6ca' +
  'd67777777777777777777777878djde6f56565666577666567655677777fbeds' +
  'kmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmn' +
  'qqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrq' +
  'u';
const LONGEST = 30;

export const EOS = 256;
/** In bits, by symbol. */
export const CODE_LENGTHS = Uint8Array.from(LENGTHS, (digit) => Number.parseInt(digit, 36));
/** By symbol, in the low bits. */
export const CODES = canonicalCodes();

function canonicalCodes(): Uint32Array {
  const codes = new Uint32Array(CODE_LENGTHS.length);
  let code = 0;
  for (let length = 1; length <= LONGEST; length++) {
    code *= 2;
    for (const [symbol, itsLength] of CODE_LENGTHS.entries()) {
      if (itsLength === length) codes[symbol] = code++;
    }
  }
  return codes;
}
