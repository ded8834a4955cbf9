import { FileInput } from '@mantine/core';
import { IconUpload } from '@tabler/icons-react';
import { useState, type DragEvent } from 'react';

import classes from './file-drop.module.css';

interface FileDropProps {
  readonly label: string;
  readonly hint: string;
  /** Endings, such as `.p8`. */
  readonly accept: string;
  readonly value: File | null;
  readonly onChange: (file: File | null) => void;
}

/** A file that is chosen, or dropped here. */
export function FileDrop({ label, hint, accept, value, onChange }: FileDropProps) {
  const [isOver, setOver] = useState(false);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    onChange(event.dataTransfer.files[0] ?? null);
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
        placeholder={accept}
        accept={accept}
        value={value}
        onChange={onChange}
        required
        clearable
        leftSection={<IconUpload aria-hidden size={16} />}
      />
    </div>
  );
}
