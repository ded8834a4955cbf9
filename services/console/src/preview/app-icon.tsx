import classes from './preview.module.css';

interface AppIconProps {
  readonly shape: 'squircle' | 'circle';
  readonly name: string;
}

/** Stands for the app's icon, which only the phone has. */
export function AppIcon({ shape, name }: AppIconProps) {
  return (
    <span className={classes['icon']} data-shape={shape} aria-hidden>
      {[...name.trim()][0]?.toUpperCase() ?? '?'}
    </span>
  );
}
