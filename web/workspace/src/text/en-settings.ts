/** English of settings and set-up: apart only to keep the files readable. */
export const settingsEn = {
  st: {} as Record<string, never>,
};
