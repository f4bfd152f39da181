/** Pictures, made small before they are sent. */

/** Shown at 48 pixels at most, and twice as fine on some screens. */
const SIDE = 192;

/** The middle of a picture as a small square. Throws where it is no picture. */
export async function square(file: Blob): Promise<Blob> {
  const bitmap = await createImageBitmap(file);
  try {
    const side = Math.min(bitmap.width, bitmap.height);
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = SIDE;
    canvas.getContext('2d')?.drawImage(bitmap, (bitmap.width - side) / 2, (bitmap.height - side) / 2, side, side, 0, 0, SIDE, SIDE);
    return await new Promise((done, failed) => canvas.toBlob((made) => (made ? done(made) : failed(new Error('no picture'))), 'image/png'));
  } finally {
    bitmap.close();
  }
}
