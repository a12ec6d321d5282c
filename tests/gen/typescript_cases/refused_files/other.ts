export interface Another {
  text: string;
}
