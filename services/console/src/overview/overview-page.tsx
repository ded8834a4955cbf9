import { useText } from '../i18n/text.tsx';
import { Page } from '../layout/page.tsx';

export function OverviewPage() {
  const say = useText();
  return <Page title={say('nav.overview')}>{null}</Page>;
}
