// Reads Kubernetes manifests from standard input and prints a line for each that its schema does not allow. Runs where the packages of
// this folder are installed. The schemas pass over fields that they don't know; types see those, so `--types` prints a TypeScript
// module that does not compile if there are any.

import { text } from 'node:stream/consumers';
import { parseAllDocuments } from 'yaml';

const moduleOf = (apiVersion) =>
  `${apiVersion.startsWith('keda.sh/') ? '@kubernetes-models/keda' : 'kubernetes-models'}/${apiVersion}`;

const manifests = parseAllDocuments(await text(process.stdin))
  .map((document) => document.toJS())
  .filter(Boolean);

if (process.argv.includes('--types')) {
  for (const [n, manifest] of manifests.entries()) {
    const { apiVersion, kind } = manifest;
    console.log(`import type { I${kind} as I${n} } from '${moduleOf(apiVersion)}';`);
    console.log(`export const manifest${n}: I${n} = ${JSON.stringify(manifest, undefined, 2)};`);
  }
} else {
  for (const manifest of manifests) {
    const { apiVersion, kind, metadata } = manifest;
    const { [kind]: Model } = await import(moduleOf(apiVersion));
    try {
      new Model(manifest).validate();
    } catch (error) {
      console.log(`${kind} ${metadata?.name}: ${error.message}`);
    }
  }
}
