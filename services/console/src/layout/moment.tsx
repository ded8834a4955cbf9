import { Tooltip } from '@mantine/core';
import { useIntl } from 'react-intl';

const MINUTE = 60;
const UNITS = [
  { unit: 'day', seconds: 24 * 60 * MINUTE },
  { unit: 'hour', seconds: 60 * MINUTE },
  { unit: 'minute', seconds: MINUTE },
] as const;

/** An instant in ISO 8601 as people say it, "5 minutes ago"; the exact one shows on pointing at it. Nothing for null. */
export function Moment({ at }: { readonly at: string | null | undefined }) {
  const intl = useIntl();
  if (at === null || at === undefined) return <>–</>;
  const exact = intl.formatDate(at, { dateStyle: 'medium', timeStyle: 'medium' });
  return (
    <Tooltip label={exact}>
      <time dateTime={at} style={{ whiteSpace: 'nowrap' }}>
        {sayAgo(at, intl)}
      </time>
    </Tooltip>
  );
}

function sayAgo(at: string, intl: ReturnType<typeof useIntl>): string {
  const seconds = (Date.parse(at) - Date.now()) / 1000;
  const fitting = UNITS.find((one) => Math.abs(seconds) >= one.seconds);
  if (fitting === undefined) return intl.formatRelativeTime(Math.round(seconds), 'second');
  if (fitting.unit === 'day' && Math.abs(seconds) > 7 * fitting.seconds)
    return intl.formatDate(at, { dateStyle: 'medium' });
  return intl.formatRelativeTime(Math.round(seconds / fitting.seconds), fitting.unit);
}
