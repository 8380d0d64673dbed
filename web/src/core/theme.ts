// Light, dark, or as the system says. Kept for the next visit; nothing secret.
export type Theme = 'auto' | 'light' | 'dark';

const KEPT_AS = 'belfry.theme';
export const THEMES: Theme[] = ['auto', 'light', 'dark'];

export const kept_theme = (): Theme => THEMES.find((each) => each === localStorage.getItem(KEPT_AS)) ?? 'auto';

export function show_theme(theme: Theme): void {
  if (theme === 'auto') localStorage.removeItem(KEPT_AS);
  else localStorage.setItem(KEPT_AS, theme);
  document.documentElement.dataset['theme'] = theme;
}
