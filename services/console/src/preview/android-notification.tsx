import { useText } from '../i18n/text.tsx';
import { AppIcon } from './app-icon.tsx';
import type { Place, PreviewedMessage } from './notification-preview.tsx';
import classes from './preview.module.css';

interface AndroidNotificationProps {
  readonly message: PreviewedMessage;
  readonly look: 'light' | 'dark';
  readonly place: Place;
}

/** Android: the app's name and the time above, then the title, then one line of text until somebody unfolds it. */
export function AndroidNotification({ message, look, place }: AndroidNotificationProps) {
  const say = useText();
  return (
    <div className={classes['android']} data-look={look}>
      <AppIcon shape="circle" name={message.appName} />
      <div className={classes['texts']}>
        <div className={classes['androidHead']}>
          {message.appName} · {say('preview.now')}
        </div>
        <div className={classes['androidTitle']}>{message.title}</div>
        <p className={classes['body']} data-lines={place === 'lockScreen' ? 1 : 2}>
          {message.body}
        </p>
      </div>
    </div>
  );
}
