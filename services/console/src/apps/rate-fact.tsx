import { useIntl } from 'react-intl';

import { useText } from '../i18n/text.tsx';
import { Fact } from '../layout/facts.tsx';

export function RateFact({ rate }: { readonly rate: number | null }) {
  const say = useText();
  const intl = useIntl();
  return (
    <Fact name={say('credentials.rate')}>
      {rate === null ? say('credentials.noRate') : intl.formatNumber(rate)}
    </Fact>
  );
}
