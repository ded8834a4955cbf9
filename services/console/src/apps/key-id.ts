/** As Apple names the file that one downloads; a second download gets ` (1)`. */
const KEY_FILE = /^(?:AuthKey|ApnsKey)_([A-Z0-9]{10})(?: ?\(\d+\))?\.p8$/;

/** The key's id out of the name of its file; undefined where somebody gave it another name. */
export function findKeyId(fileName: string): string | undefined {
  return KEY_FILE.exec(fileName)?.[1];
}
