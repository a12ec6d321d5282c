export interface Place {
  city: string;
}

export default interface Cast {
  names: string[];
}
