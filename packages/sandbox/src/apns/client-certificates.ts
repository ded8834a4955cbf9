import type { ApnsEnvironment } from '../credentials/apns-key.ts';
import {
  toFingerprint,
  type IssuedApnsCertificate,
  type RegisteredApnsCertificate,
} from '../credentials/apns-certificate.ts';
import type { ClientCertificate } from '../transport/exchange.ts';
import type { ApnsReason } from './apns-reasons.ts';

/** Knows the certificates that were issued, and judges those that clients come with. */
export class ClientCertificates {
  readonly #issued = new Map<string, RegisteredApnsCertificate>();

  register({ certPem, registered }: IssuedApnsCertificate): void {
    this.#issued.set(toFingerprint(certPem), registered);
  }

  judge(
    { fingerprint, trusted }: ClientCertificate,
    topic: string | undefined,
    environment: ApnsEnvironment,
  ): ApnsReason | undefined {
    const issued = this.#issued.get(fingerprint);
    if (!trusted || !issued) return 'BadCertificate';
    if (!issued.environments.includes(environment)) return 'BadCertificateEnvironment';
    // Apple: may be left out where the certificate has one topic only.
    if (topic === undefined) return issued.topics.length === 1 ? undefined : 'MissingTopic';
    return issued.topics.includes(topic) ? undefined : 'TopicDisallowed';
  }
}
