import type { Proxy } from '@heliograph/client';

import { useText } from '../i18n/text.tsx';
import { Fact, Facts } from '../layout/facts.tsx';
import { Expiry } from './expiry.tsx';
import { RateFact } from './rate-fact.tsx';

/** Where pushes go instead, and how that server is talked to. */
export function ProxyFacts({ proxy }: { readonly proxy: Proxy }) {
  const say = useText();
  const { certificate } = proxy;
  return (
    <Facts>
      <Fact name={say('proxy.url')}>{proxy.url}</Fact>
      <Fact name={say('proxy.certificate')}>{certificate?.commonName}</Fact>
      {certificate !== null && (
        <Fact name={say('credentials.validTo')}>
          <Expiry validTo={certificate.validTo} />
        </Fact>
      )}
      <Fact name={say('proxy.schema')}>
        {proxy.schema === 'current' ? say('proxy.schemaCurrent') : proxy.schema}
      </Fact>
      <Fact name={say('proxy.retry')}>
        {say(proxy.retry === 'documented' ? 'proxy.retryDocumented' : 'proxy.retryUntilExpiry')}
      </Fact>
      <Fact name={say('proxy.goneOn')}>
        {proxy.goneOn.length === 0 ? say('proxy.goneOnNone') : proxy.goneOn.join(', ')}
      </Fact>
      <Fact name={say('proxy.brandId')}>{proxy.brandId}</Fact>
      <Fact name={say('proxy.backendService')}>{proxy.backendService}</Fact>
      <Fact name={say('proxy.basicUsername')}>{proxy.basicUsername}</Fact>
      <RateFact rate={proxy.ratePerSecond} />
    </Facts>
  );
}
