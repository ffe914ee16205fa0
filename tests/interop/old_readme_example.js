// The browser client as people wrote it for the first VyomaChat server: kept as it is.

const socket = new WebSocket('ws://localhost:3001');

socket.onopen = () => {
  socket.send('Hello!');
};

socket.onmessage = (event) => {
  console.log(event.data);
};
