// The weights' sum as they are typed, and thirds without a round trip.
{
  const output = document.getElementById('sum');
  const fields = [...document.querySelectorAll('input[name^="/weights/"]')];
  const even = document.querySelector('button[value=even]');
  if (output && even && fields.length === 3) {
    const points = (field) => Math.round(Number(field.value.replace(',', '.')) * 100) || 0;
    const show = () => {
      const sum = fields.reduce((all, field) => all + points(field), 0);
      output.value = String(sum / 100);
      // As the server has it: thirds of two decimals are legal.
      const off = Math.abs(sum - 10000) > 5;
      output.parentElement.classList.toggle('off', off);
      fields[0].setCustomValidity(off ? `The weights sum to ${sum / 100} %; they must sum to 100 %.` : '');
    };
    for (const field of fields) field.addEventListener('input', show);
    even.addEventListener('click', (event) => {
      event.preventDefault();
      ['33.33', '33.33', '33.34'].forEach((third, index) => { fields[index].value = third; });
      show();
    });
    show();
  }
}
