import { useText } from '../i18n/text.tsx';
import { AppIcon } from './app-icon.tsx';
import type { Place, PreviewedMessage } from './notification-preview.tsx';
import classes from './preview.module.css';

interface IosNotificationProps {
  readonly message: PreviewedMessage;
  readonly look: 'light' | 'dark';
  readonly place: Place;
}

/** iOS: the icon at the left, the title in bold on one line, at most four lines of text on the lock screen and two in a banner. */
export function IosNotification({ message, look, place }: IosNotificationProps) {
  const say = useText();
  return (
    <div className={classes['ios']} data-look={look}>
      <AppIcon shape="squircle" name={message.appName} />
      <div className={classes['texts']}>
        <div className={classes['line']}>
          <span className={classes['iosTitle']}>{message.title || message.appName}</span>
          <span className={classes['when']}>{say('preview.now')}</span>
        </div>
        <p className={classes['body']} data-lines={place === 'lockScreen' ? 4 : 2}>
          {message.body}
        </p>
      </div>
    </div>
  );
}
