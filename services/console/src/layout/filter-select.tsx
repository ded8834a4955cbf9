import { NativeSelect } from '@mantine/core';
import { useSearchParams } from 'react-router';

interface FilterSelectProps {
  /** Of the parameter in the address. */
  readonly name: string;
  readonly label: string;
  /** What it says where the parameter is absent; without it there is always one. */
  readonly any?: string;
  readonly value: string;
  readonly choices: readonly { readonly value: string; readonly label: string }[];
}

/** Narrows a list down by a parameter of the address; the list begins anew. */
export function FilterSelect({ name, label, any, value, choices }: FilterSelectProps) {
  const [, setParameters] = useSearchParams();
  const choose = (chosen: string) =>
    setParameters((now) => {
      const then = new URLSearchParams(now);
      then.delete('after');
      if (chosen === '') then.delete(name);
      else then.set(name, chosen);
      return then;
    });
  return (
    <NativeSelect
      label={label}
      data={any === undefined ? [...choices] : [{ value: '', label: any }, ...choices]}
      value={value}
      onChange={(event) => choose(event.currentTarget.value)}
    />
  );
}
