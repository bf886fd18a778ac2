/** A part of a WHERE clause and the values that it binds, in order. */
export interface Condition {
  readonly sql: string
  readonly values: readonly (string | number)[]
}

export const sqlOf = (conditions: readonly Condition[]): string =>
  conditions.map(({ sql }) => sql).join(' AND ')

export const valuesOf = (conditions: readonly Condition[]): readonly (string | number)[] =>
  conditions.flatMap(({ values }) => values)
