/** Who wants to serve which names in `protocolName`. */
export interface Claimant {
  readonly protocol: string
  readonly aliases: readonly string[]
  /** As people know it. */
  readonly name: string
}

export type Claim =
  | { readonly ok: true; readonly serves: readonly string[]; readonly detail?: string }
  | { readonly ok: false; readonly reason: string }

/**
 * Who serves what. A mapper of the configuration goes before a built-in one, whose aliases it takes over with the protocol; of
 * two mappers of the configuration the first has the name, and the second serves nothing.
 */
export function settleClaims(
  used: readonly Claimant[],
  builtIns: readonly Claimant[],
): { readonly used: readonly Claim[]; readonly builtIns: readonly Claim[] } {
  const owners = new Map<string, string>()
  const claims = used.map((claimant): Claim => {
    const replaced = builtIns.find(({ protocol }) => protocol === claimant.protocol)
    const own = new Set([claimant.protocol, ...claimant.aliases])
    for (const name of own) {
      const owner = owners.get(name)
      if (owner !== undefined) {
        return {
          ok: false,
          reason: `protocol ${name} is served by ${owner} already: remove one of them from mappers.use`,
        }
      }
    }
    for (const name of own) owners.set(name, claimant.name)
    return { ok: true, serves: [...own, ...(replaced?.aliases ?? []).filter((name) => !own.has(name))] }
  })
  // What a replaced mapper was also called goes to its successor, unless somebody has asked for it by name.
  const settled = claims.map((claim, index): Claim => {
    if (!claim.ok) return claim
    const name = used[index]?.name ?? ''
    const serves = claim.serves.filter((each) => (owners.get(each) ?? name) === name)
    for (const each of serves) owners.set(each, name)
    return { ok: true, serves }
  })
  const rest = builtIns.map(({ protocol, aliases }): Claim => {
    const serves = [protocol, ...aliases].filter((each) => !owners.has(each))
    const owner = owners.get(protocol)
    return { ok: true, serves, ...(owner === undefined ? {} : { detail: `${owner} serves its protocol` }) }
  })
  return { used: settled, builtIns: rest }
}
