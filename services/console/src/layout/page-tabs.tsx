import { Tabs } from '@mantine/core';
import type { ReactNode } from 'react';
import { useSearchParams } from 'react-router';

const PARAMETER = 'tab';

export interface PageTab {
  readonly value: string;
  readonly title: string;
  readonly content: ReactNode;
}

/** Parts of a page, of which the address names the one that is open. */
export function PageTabs({ tabs }: { readonly tabs: readonly PageTab[] }) {
  const [parameters, setParameters] = useSearchParams();
  const open = tabs.find(({ value }) => value === parameters.get(PARAMETER)) ?? tabs[0];
  return (
    <Tabs
      keepMounted={false}
      value={open?.value ?? null}
      // What a part kept in the address, as its place in a list, means nothing to another one.
      onChange={(value) => setParameters(value === null ? {} : { [PARAMETER]: value })}
    >
      <Tabs.List mb="md">
        {tabs.map(({ value, title }) => (
          <Tabs.Tab key={value} value={value}>
            {title}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {tabs.map(({ value, content }) => (
        <Tabs.Panel key={value} value={value}>
          {content}
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}
