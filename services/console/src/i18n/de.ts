import type { Catalogue } from './en.ts';

export const de: Catalogue = {
  'app.name': 'Heliograph',
  'nav.label': 'Seiten',
  'nav.overview': 'Übersicht',
  'nav.campaigns': 'Kampagnen',
  'nav.deliveries': 'Wo ist mein Push?',
  'nav.apps': 'Apps',
  'nav.failures': 'Fehler',
  'nav.audit': 'Protokoll',
  'nav.open': 'Menü öffnen',
  'nav.skip': 'Zum Inhalt springen',
  'look.dark': 'Dunkel',
  'look.light': 'Hell',
  'look.toggle': 'Zwischen hell und dunkel wechseln',
  'language.label': 'Sprache',
  'signIn.title': 'Anmelden',
  'signIn.name': 'Benutzername',
  'signIn.password': 'Passwort',
  'signIn.submit': 'Anmelden',
  'signIn.wrong': 'Name und Passwort passen nicht zusammen.',
  'signIn.throttled':
    'Zu viele Versuche. Warten Sie {seconds, plural, one {# Sekunde} other {# Sekunden}} und versuchen Sie es dann wieder.',
  'signIn.noAccount': 'Konten legt ein Administrator mit „heliograph users create“ an.',
  'signOut.submit': 'Abmelden',
  'session.as': 'Angemeldet als {name}',
  'session.role':
    '{role, select, viewer {Betrachter} editor {Redakteur} sender {Versender} admin {Administrator} other {{role}}}',
  waiting: 'Einen Augenblick',
  'error.title': 'Das hat nicht geklappt',
  'error.unreachable':
    'Der Server war nicht erreichbar. Prüfen Sie Ihre Verbindung; geändert wurde nichts, wenn es nicht dabeisteht.',
  'error.retry': 'Noch einmal versuchen',
  'error.correlation': 'Anfrage {id}',
  'notFound.title': 'Diese Seite gibt es nicht',
  'notFound.back': 'Zurück zur Übersicht',
};
