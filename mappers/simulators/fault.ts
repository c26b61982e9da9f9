/** What can be wrong with a simulated device, until it is cleared. One at a time. */
export type Fault =
  /** Takes requests and answers none. */
  | { readonly kind: 'silence' }
  /** Answers with nonsense; `share` of all answers, 0 to 1. */
  | { readonly kind: 'garbage'; readonly share: number }
  /** Answers late. */
  | { readonly kind: 'slow'; readonly milliseconds: number }
  /** Ends all links and takes no new ones. */
  | { readonly kind: 'disconnect' }
