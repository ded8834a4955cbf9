import { Button, Group, Select, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { IconSearch } from '@tabler/icons-react';

import { useText } from '../i18n/text.tsx';
import { SEARCH_KINDS, type SearchTerms } from './search-terms.ts';

interface SearchFormProps {
  readonly terms: SearchTerms | undefined;
  readonly search: (terms: SearchTerms) => void;
}

export function SearchForm({ terms, search }: SearchFormProps) {
  const say = useText();
  const form = useForm<SearchTerms>({
    initialValues: terms ?? { by: 'userId', value: '' },
    validate: {
      value: (value, { by }) =>
        by === 'deviceId' && !/^\d{1,15}$/.test(value.trim())
          ? say('deliveries.deviceIdIsNumber')
          : null,
    },
  });
  return (
    <form
      role="search"
      onSubmit={form.onSubmit(({ by, value }) => search({ by, value: value.trim() }))}
    >
      <Group align="flex-start">
        <Select
          label={say('deliveries.by')}
          data={SEARCH_KINDS.map((kind) => ({ value: kind, label: say(`deliveries.${kind}`) }))}
          allowDeselect={false}
          w={220}
          {...form.getInputProps('by')}
        />
        <TextInput
          label={say('deliveries.value')}
          required
          flex={1}
          miw={220}
          {...form.getInputProps('value')}
        />
        <Button type="submit" mt={25} leftSection={<IconSearch aria-hidden size={16} />}>
          {say('deliveries.search')}
        </Button>
      </Group>
    </form>
  );
}
