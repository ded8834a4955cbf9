/** What the console says, in ICU message syntax. The keys are those of all languages. */
export const en = {
  'app.name': 'Heliograph',
  'nav.label': 'Pages',
  'nav.overview': 'Overview',
  'nav.campaigns': 'Campaigns',
  'nav.deliveries': 'Where is my push?',
  'nav.apps': 'Apps',
  'nav.failures': 'Failures',
  'nav.audit': 'Audit',
  'nav.open': 'Open the menu',
  'nav.skip': 'Skip to the content',
  'look.dark': 'Dark',
  'look.light': 'Light',
  'look.toggle': 'Change between light and dark',
  'language.label': 'Language',
  'signIn.title': 'Sign in',
  'signIn.name': 'User name',
  'signIn.password': 'Password',
  'signIn.submit': 'Sign in',
  'signIn.wrong': 'This name and password do not go together.',
  'signIn.throttled':
    'Too many tries. Wait {seconds, plural, one {# second} other {# seconds}}, then try again.',
  'signIn.noAccount': 'An administrator makes accounts with “heliograph users create”.',
  'signOut.submit': 'Sign out',
  'session.as': 'Signed in as {name}',
  'session.role':
    '{role, select, viewer {Viewer} editor {Editor} sender {Sender} admin {Administrator} other {{role}}}',
  waiting: 'Wait a moment',
  'confirm.cancel': 'Cancel',
  'pager.label': 'Pages of this list',
  'pager.first': 'First page',
  'pager.next': 'Next page',
  'preview.place': 'Where it is shown',
  'preview.lockScreen': 'Lock screen',
  'preview.banner': 'Banner',
  'preview.now': 'now',
  'error.title': 'That did not work',
  'error.unreachable':
    'The server was not reached. Check your connection; nothing was changed unless it says so.',
  'error.retry': 'Try again',
  'error.correlation': 'Request {id}',
  'notFound.title': 'There is no such page',
  'notFound.back': 'Back to the overview',
} as const;

export type MessageId = keyof typeof en;
export type Catalogue = Readonly<Record<MessageId, string>>;
