import { FileInput } from '@mantine/core';
import { IconUpload } from '@tabler/icons-react';
import { useState, type DragEvent } from 'react';

import { useText } from '../i18n/text.tsx';
import classes from './file-drop.module.css';

interface FileDropProps {
  readonly label: string;
  readonly hint: string;
  /** Endings, such as `.p8`. */
  readonly accept: string;
  readonly value: File | null;
  readonly onChange: (file: File | null) => void;
  /** What is wrong with the file. */
  readonly error?: string | undefined;
  readonly isOptional?: boolean;
}

/** A file that is chosen, or dropped here. */
export function FileDrop(props: FileDropProps) {
  const { label, hint, accept, value, onChange, error, isOptional = false } = props;
  const say = useText();
  const [isOver, setOver] = useState(false);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    const [file] = event.dataTransfer.files;
    if (file !== undefined) onChange(file);
  };
  return (
    <div
      className={classes['zone']}
      data-over={isOver || undefined}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <FileInput
        label={label}
        description={hint}
        placeholder={say('file.choose', { accept: accept.replaceAll(',', ', ') })}
        accept={accept}
        value={value}
        onChange={onChange}
        error={error}
        withAsterisk={!isOptional}
        clearable
        clearButtonProps={{ 'aria-label': say('file.clear', { label }) }}
        leftSection={<IconUpload aria-hidden size={16} />}
      />
    </div>
  );
}
