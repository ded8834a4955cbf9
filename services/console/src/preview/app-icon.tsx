import classes from './preview.module.css';

interface AppIconProps {
  readonly shape: 'squircle' | 'circle';
  readonly name: string;
}

const LETTERS = new Intl.Segmenter();

/** Stands for the app's icon, which only the phone has. */
export function AppIcon({ shape, name }: AppIconProps) {
  const [first] = LETTERS.segment(name.trim());
  return (
    <span className={classes['icon']} data-shape={shape} aria-hidden>
      {first?.segment.toUpperCase() ?? '?'}
    </span>
  );
}
