import { Alert, Button, Checkbox, Group, Select, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { FileDrop } from '../apps/file-drop.tsx';
import { useText } from '../i18n/text.tsx';
import { Failure } from '../layout/failure.tsx';
import { Waiting } from '../layout/waiting.tsx';
import { CsvError, readCsv, type CsvRow } from './read-csv.ts';
import { ImportView } from './import-view.tsx';
import { useImport } from './use-import.ts';
import { guessColumn, usersOf } from './users-of.ts';

const SHOWN_ROWS = 5;

/** Users out of a file, which is read as it is sent. */
export function FileImport({ campaignId }: { readonly campaignId: number }) {
  const say = useText();
  const [file, setFile] = useState<File | null>(null);
  return (
    <Stack>
      <FileDrop
        label={say('audience.file')}
        hint={say('audience.fileHint')}
        accept=".csv,.tsv,.txt"
        value={file}
        onChange={setFile}
      />
      {file !== null && (
        <Looked key={`${file.name} ${file.lastModified}`} campaignId={campaignId} file={file} />
      )}
    </Stack>
  );
}

interface LookedProps {
  readonly campaignId: number;
  readonly file: File;
}

/** A look at the first lines, for which column the users are in. */
function Looked({ campaignId, file }: LookedProps) {
  const say = useText();
  const first = useQuery({
    queryKey: ['first-lines', file.name, file.size, file.lastModified],
    queryFn: () => readFirstRows(file),
    retry: false,
    gcTime: 0,
  });
  if (first.isPending) return <Waiting />;
  if (first.isError)
    return first.error instanceof CsvError ? (
      <Alert color="red" role="alert">
        {say(`audience.${first.error.fault}`)}
      </Alert>
    ) : (
      <Failure error={first.error} />
    );
  if (first.data.length === 0) return <Text>{say('audience.fileIsEmpty')}</Text>;
  return <ColumnImport campaignId={campaignId} file={file} firstRows={first.data} />;
}

async function readFirstRows(file: File): Promise<readonly CsvRow[]> {
  const first: CsvRow[] = [];
  for await (const rows of readCsv(file.stream())) {
    first.push(...rows.slice(0, SHOWN_ROWS));
    if (first.length >= SHOWN_ROWS) break;
  }
  return first.slice(0, SHOWN_ROWS);
}

interface ColumnImportProps extends LookedProps {
  readonly firstRows: readonly CsvRow[];
}

function ColumnImport({ campaignId, file, firstRows }: ColumnImportProps) {
  const say = useText();
  const adding = useImport(campaignId);
  const [chosen, setChosen] = useState(() => guessColumn(firstRows[0]));
  const [bytes, setBytes] = useState(0);
  const columns = firstRows[0] ?? [];
  const examples = firstRows
    .slice(chosen.hasHeading ? 1 : 0)
    .map((row) => row[chosen.column] || '–');

  const start = () => {
    setBytes(0);
    adding.start((report) => usersOf(readCsv(file.stream(), setBytes), chosen, report));
  };

  return (
    <Stack>
      <Select
        label={say('audience.column')}
        value={String(chosen.column)}
        allowDeselect={false}
        disabled={adding.isRunning}
        data={columns.map((name, column) => ({
          value: String(column),
          label: say('audience.columnOf', { number: column + 1, name }),
        }))}
        onChange={(column) => setChosen({ ...chosen, column: Number(column) })}
      />
      <Checkbox
        label={say('audience.hasHeading')}
        checked={chosen.hasHeading}
        disabled={adding.isRunning}
        onChange={(event) => setChosen({ ...chosen, hasHeading: event.currentTarget.checked })}
      />
      <Text size="sm" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
        {say('audience.firstUsers', { users: examples.join(' · ') })}
      </Text>
      <Group>
        <Button onClick={start} disabled={adding.isRunning}>
          {say('audience.add')}
        </Button>
      </Group>
      <ImportView run={adding} percent={file.size === 0 ? 100 : (100 * bytes) / file.size} />
    </Stack>
  );
}
