// One file out of a ZIP archive, since Node reads none by itself. No ZIP64: our archives are far below 4 GB.

import { inflateRawSync } from 'node:zlib';

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const DEFLATED = 8;

/** The contents of the file of that name. Throws where there is none, or where it is packed in a way that we don't know. */
export function unzipFile(archive, name) {
  const entry = listEntries(archive).find((each) => each.name === name);
  if (entry === undefined) throw new Error(`there is no ${name} in the archive`);
  if (entry.method !== DEFLATED) throw new Error(`${name} is packed by method ${entry.method}`);

  // The names before the data are given again there, with lengths of their own.
  const nameLength = archive.readUInt16LE(entry.offset + 26);
  const extraLength = archive.readUInt16LE(entry.offset + 28);
  const start = entry.offset + 30 + nameLength + extraLength;
  return inflateRawSync(archive.subarray(start, start + entry.packedSize));
}

function listEntries(archive) {
  const end = findEnd(archive);
  const entries = [];
  let at = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left--) {
    if (archive.readUInt32LE(at) !== DIRECTORY_ENTRY) throw new Error('the archive is damaged');
    const nameLength = archive.readUInt16LE(at + 28);
    entries.push({
      name: archive.toString('utf8', at + 46, at + 46 + nameLength),
      method: archive.readUInt16LE(at + 10),
      packedSize: archive.readUInt32LE(at + 20),
      offset: archive.readUInt32LE(at + 42),
    });
    at += 46 + nameLength + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  }
  return entries;
}

function findEnd(archive) {
  for (let at = archive.length - 22; at >= 0; at--)
    if (archive.readUInt32LE(at) === END_OF_DIRECTORY) return at;
  throw new Error('this is no ZIP archive');
}
