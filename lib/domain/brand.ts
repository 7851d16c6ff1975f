/** Gives a primitive a name that the compiler keeps apart from its siblings; costs nothing at run time. */
export type Brand<T, Name extends string> = T & { readonly __brand: Name };
