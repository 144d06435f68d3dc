import type { en } from "./en";

export type Rule = Intl.LDMLPluralRule;
/** Forms of one text by number; what a language does not use may be missing. */
export type Plural = { other: string } & Partial<Record<Rule, string>>;
export type Key = keyof typeof en;
export type PluralKey = { [K in Key]: (typeof en)[K] extends string ? never : K }[Key];
export type PlainKey = Exclude<Key, PluralKey>;

/** A missing or a superfluous key is a compile error. */
export type Catalogue = { [K in Key]: (typeof en)[K] extends string ? string : Plural };
/** Arabic has all six forms, and every one of them must be written. */
export type ArabicCatalogue = { [K in Key]: (typeof en)[K] extends string ? string : Record<Rule, string> };

type PlacesOf<S> = S extends `${string}{${infer Name}}${infer Rest}` ? Name | PlacesOf<Rest> : never;
type Source<K extends Key> = (typeof en)[K] extends { other: infer S } ? S : (typeof en)[K];
/** The {places} of a text, from the English one. */
export type Places<K extends Key> = Record<PlacesOf<Source<K>>, string | number>;
