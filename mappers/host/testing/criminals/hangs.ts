import { criminal } from './criminal.ts'

/** Never gives its thread back. */
export default criminal(() => {
  for (;;);
})
