import { createContext, use, useEffect, useState, type ReactNode } from 'react';
import { IntlProvider } from 'react-intl';

import { de } from './de.ts';
import { en } from './en.ts';

export const LANGUAGES = { en: 'English', de: 'Deutsch' } as const;
export type Language = keyof typeof LANGUAGES;

const CATALOGUES = { en, de };
const STORED_AS = 'heliograph-language';

interface Choice {
  readonly language: Language;
  readonly choose: (language: Language) => void;
}

const LanguageContext = createContext<Choice>({ language: 'en', choose: () => undefined });

/** Everything below speaks the language that was chosen here before, else the browser's. */
export function LanguageProvider({ children }: { readonly children: ReactNode }) {
  const [language, choose] = useState(findLanguage);
  useEffect(() => {
    document.documentElement.lang = language;
    localStorage.setItem(STORED_AS, language);
  }, [language]);

  return (
    <LanguageContext value={{ language, choose }}>
      <IntlProvider locale={language} messages={CATALOGUES[language]}>
        {children}
      </IntlProvider>
    </LanguageContext>
  );
}

export function useLanguage(): Choice {
  return use(LanguageContext);
}

function findLanguage(): Language {
  const wished = [localStorage.getItem(STORED_AS), ...navigator.languages];
  return wished.map((one) => one?.slice(0, 2) ?? '').find(isLanguage) ?? 'en';
}

export function isLanguage(text: string): text is Language {
  return text in LANGUAGES;
}
