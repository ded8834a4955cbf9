import { Anchor, Table } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';

import { useApi } from '../api/api-provider.tsx';
import { firstPage } from '../api/first-page.ts';
import { Expiry } from '../apps/expiry.tsx';
import { useText } from '../i18n/text.tsx';
import { CursorPager, useCursor } from '../layout/cursor-pager.tsx';
import { Page } from '../layout/page.tsx';
import { QueryView } from '../layout/query-view.tsx';
import { ScrollingTable } from '../layout/scrolling-table.tsx';

const PAGE_SIZE = 50;

/** Every certificate that somebody will have to replace, the next one first. */
export function CertificatesPage() {
  const say = useText();
  const api = useApi();
  const page = Number(useCursor() ?? 0);
  const certificates = useQuery({
    queryKey: ['certificates', page],
    queryFn: ({ signal }) =>
      firstPage(api.certificates.list({ page, size: PAGE_SIZE }, { signal })),
  });
  return (
    <Page title={say('nav.certificates')}>
      <QueryView query={certificates}>
        {({ certificateList }) => (
          <>
            <ScrollingTable
              caption={say('nav.certificates')}
              empty={say('certificates.empty')}
              head={[
                say('credentials.validTo'),
                say('failures.app'),
                say('certificates.for'),
                say('credentials.certificate'),
              ]}
            >
              {certificateList.map((one) => (
                <Table.Tr key={`${one.appId} ${one.kind} ${one.platform} ${one.fingerprint}`}>
                  <Table.Td>
                    <Expiry validTo={one.validTo} />
                  </Table.Td>
                  <Table.Td>
                    <Anchor component={Link} fz="inherit" to={toApp(one)}>
                      {one.appId}
                    </Anchor>
                  </Table.Td>
                  <Table.Td>
                    {say(`certificates.${one.kind}`)}
                    {one.platform !== null && ` (${say(`platform.${one.platform}`)})`}
                    {one.brandId !== null && ` (${one.brandId})`}
                  </Table.Td>
                  <Table.Td>{one.commonName}</Table.Td>
                </Table.Tr>
              ))}
            </ScrollingTable>
            <CursorPager next={certificateList.length < PAGE_SIZE ? null : page + 1} />
          </>
        )}
      </QueryView>
    </Page>
  );
}

function toApp({
  appId,
  kind,
}: {
  readonly appId: string | number;
  readonly kind: string;
}): string {
  const tab = kind === 'liveperson' ? '?tab=liveperson' : '';
  return `/apps/${encodeURIComponent(appId)}${tab}`;
}
